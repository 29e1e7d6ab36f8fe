CREATE TABLE "instances" (
	"instance_id" text PRIMARY KEY NOT NULL,
	"instance_version" integer NOT NULL,
	"account_id" text NOT NULL,
	"order_id" text NOT NULL,
	"product_id" text NOT NULL,
	"sku_id" text NOT NULL,
	"quantity" integer NOT NULL,
	"is_trial" boolean NOT NULL,
	"delivery_type" text NOT NULL,
	"status" text NOT NULL,
	"expires_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "for_instance_id" text;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_renewal_of_an_instance" CHECK ((kind = 'new_purchase') = (for_instance_id is null));