CREATE TABLE "categories" (
	"category_id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"name_en" text NOT NULL,
	"position" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "products" (
	"product_id" text PRIMARY KEY NOT NULL,
	"product_version" integer NOT NULL,
	"provider_id" text NOT NULL,
	"category_id" text NOT NULL,
	"name" text NOT NULL,
	"name_en" text,
	"summary" text NOT NULL,
	"summary_en" text,
	"description" text NOT NULL,
	"guide" text NOT NULL,
	"delivery_type" text NOT NULL,
	"human_delivery" boolean NOT NULL,
	"status" text NOT NULL,
	"skus" jsonb NOT NULL,
	"published_at" timestamp with time zone NOT NULL,
	"changed_at" timestamp with time zone NOT NULL,
	"price_from" bigint NOT NULL,
	"search_text" text NOT NULL,
	"search_grams" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "providers" (
	"provider_id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"name_en" text NOT NULL,
	"about" text NOT NULL,
	"about_en" text NOT NULL,
	"self_operated" boolean NOT NULL,
	"phone" text NOT NULL,
	"email" text NOT NULL,
	"service_hours" text NOT NULL,
	"joined_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sale_counts" (
	"product_id" text PRIMARY KEY NOT NULL,
	"completed" bigint NOT NULL,
	CONSTRAINT "sale_counts_not_negative" CHECK (completed >= 0)
);
--> statement-breakpoint
CREATE TABLE "sales" (
	"order_id" text PRIMARY KEY NOT NULL,
	"product_id" text NOT NULL,
	"account_id" text NOT NULL,
	"quantity" integer NOT NULL,
	"recorded_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "products_price" ON "products" USING btree ("price_from","product_id");--> statement-breakpoint
CREATE INDEX "products_newest" ON "products" USING btree ("published_at","product_id");--> statement-breakpoint
CREATE INDEX "products_provider" ON "products" USING btree ("provider_id");--> statement-breakpoint
CREATE INDEX "products_search" ON "products" USING gin (string_to_array(search_grams, ' '));--> statement-breakpoint
CREATE INDEX "sale_counts_most" ON "sale_counts" USING btree ("completed","product_id");