CREATE TABLE "api_keys" (
	"secret_id" text PRIMARY KEY NOT NULL,
	"instance_id" text NOT NULL,
	"account_id" text NOT NULL,
	"product_id" text NOT NULL,
	"secret_key" text NOT NULL,
	"status" text NOT NULL,
	"calls" integer,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "endpoints" (
	"product_id" text PRIMARY KEY NOT NULL,
	"provider_id" text NOT NULL,
	"dialect" text NOT NULL,
	"url" text NOT NULL,
	"token" text NOT NULL,
	"verified_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "instances" (
	"instance_id" text PRIMARY KEY NOT NULL,
	"version" integer NOT NULL,
	"account_id" text NOT NULL,
	"user_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"product_id" text NOT NULL,
	"sku_id" text NOT NULL,
	"order_id" text NOT NULL,
	"order_number" text NOT NULL,
	"delivery_type" text NOT NULL,
	"product_name" text NOT NULL,
	"sku_name" text NOT NULL,
	"is_trial" boolean NOT NULL,
	"quantity" integer NOT NULL,
	"period_count" integer,
	"period_unit" text,
	"status" text NOT NULL,
	"failure" text,
	"created_at" timestamp with time zone NOT NULL,
	"shipped_at" timestamp with time zone,
	"expires_at" timestamp with time zone,
	"closed_at" timestamp with time zone,
	"awaited_by" jsonb,
	"task" text,
	"task_since" timestamp with time zone,
	"tries" integer NOT NULL,
	"call_seq" integer NOT NULL,
	"pending_since" timestamp with time zone,
	"failing_since" timestamp with time zone,
	"may_exist" boolean NOT NULL,
	"sign_id" text,
	"access" text,
	CONSTRAINT "instances_order_id_unique" UNIQUE("order_id")
);
--> statement-breakpoint
CREATE TABLE "product_numbers" (
	"product_id" text PRIMARY KEY NOT NULL,
	"number" integer GENERATED ALWAYS AS IDENTITY (sequence name "product_numbers_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 10001 CACHE 1),
	CONSTRAINT "product_numbers_number_unique" UNIQUE("number")
);
--> statement-breakpoint
CREATE TABLE "products" (
	"product_id" text PRIMARY KEY NOT NULL,
	"product_version" integer NOT NULL,
	"provider_id" text NOT NULL,
	"provider_name" text NOT NULL,
	"name" text NOT NULL,
	"delivery_type" text NOT NULL,
	"human_delivery" boolean NOT NULL,
	"skus" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "provider_calls" (
	"call_id" text PRIMARY KEY NOT NULL,
	"instance_id" text NOT NULL,
	"order_id" text NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"product_id" text NOT NULL,
	"action" text NOT NULL,
	"attempt" integer NOT NULL,
	"state" text NOT NULL,
	"given_up" boolean NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"performed_at" timestamp with time zone,
	"duration_ms" integer,
	"url" text,
	"request" text,
	"http_status" integer,
	"answer" text,
	"note" text
);
--> statement-breakpoint
CREATE INDEX "api_keys_by_instance" ON "api_keys" USING btree ("instance_id");--> statement-breakpoint
CREATE INDEX "instances_by_account" ON "instances" USING btree ("account_id","created_at","instance_id");--> statement-breakpoint
CREATE INDEX "instances_by_expiry" ON "instances" USING btree ("account_id","expires_at","instance_id");--> statement-breakpoint
CREATE INDEX "provider_calls_newest" ON "provider_calls" USING btree ("created_at","call_id");--> statement-breakpoint
CREATE INDEX "provider_calls_by_provider" ON "provider_calls" USING btree ("provider_id","created_at","call_id");--> statement-breakpoint
CREATE INDEX "provider_calls_by_instance" ON "provider_calls" USING btree ("instance_id");--> statement-breakpoint
CREATE INDEX "provider_calls_given_up" ON "provider_calls" USING btree ("provider_id") WHERE given_up;