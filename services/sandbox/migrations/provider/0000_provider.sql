CREATE TABLE "provider_instances" (
	"sign_id" text PRIMARY KEY NOT NULL,
	"provider_id" text NOT NULL,
	"order_id" text NOT NULL,
	"account_id" text NOT NULL,
	"resource_id" text NOT NULL,
	"product_number" integer NOT NULL,
	"product_name" text NOT NULL,
	"spec" text NOT NULL,
	"is_trial" boolean NOT NULL,
	"status" text NOT NULL,
	"expires_at" text NOT NULL,
	"login" text NOT NULL,
	"password" text NOT NULL,
	"ticket" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "provider_requests" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"provider_id" text NOT NULL,
	"verdict" text NOT NULL,
	"action" text NOT NULL,
	"order_id" text,
	"body" text NOT NULL,
	"answer" text NOT NULL,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "provider_scripts" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"provider_id" text NOT NULL,
	"action" text NOT NULL,
	"behaviour" text NOT NULL,
	"product_number" integer,
	"remaining" integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX "provider_instances_order" ON "provider_instances" USING btree ("provider_id","order_id");--> statement-breakpoint
CREATE INDEX "provider_instances_created" ON "provider_instances" USING btree ("provider_id","created_at");--> statement-breakpoint
CREATE INDEX "provider_requests_newest" ON "provider_requests" USING btree ("provider_id","id");--> statement-breakpoint
CREATE INDEX "provider_scripts_provider" ON "provider_scripts" USING btree ("provider_id","id");