CREATE TABLE "orders" (
	"order_id" text PRIMARY KEY NOT NULL,
	"order_number" text NOT NULL,
	"account_id" text NOT NULL,
	"user_id" text NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"version" integer NOT NULL,
	"provider_id" text NOT NULL,
	"provider_name" text NOT NULL,
	"product_id" text NOT NULL,
	"product_name" text NOT NULL,
	"sku_id" text NOT NULL,
	"sku_name" text NOT NULL,
	"delivery_type" text NOT NULL,
	"is_trial" boolean NOT NULL,
	"line" jsonb NOT NULL,
	"total" bigint NOT NULL,
	"claim_id" text,
	"coupon_name" text,
	"deduction" bigint NOT NULL,
	"payable" bigint NOT NULL,
	"agreements" jsonb NOT NULL,
	"placed_at" timestamp with time zone NOT NULL,
	"pay_by" timestamp with time zone NOT NULL,
	"cancel_requested_at" timestamp with time zone,
	"payment_id" text,
	"channel" text,
	"paid_at" timestamp with time zone,
	"instance_id" text,
	"ended_at" timestamp with time zone,
	"end_reason" text,
	"refunded" bigint NOT NULL,
	CONSTRAINT "orders_number" UNIQUE("order_number"),
	CONSTRAINT "orders_payable" CHECK (payable = total - deduction and deduction between 0 and total),
	CONSTRAINT "orders_never_give_back_more_than_was_paid" CHECK (refunded between 0 and payable),
	CONSTRAINT "orders_ended" CHECK ((ended_at is not null) = (status in ('completed', 'cancelled', 'closed', 'failed'))),
	CONSTRAINT "orders_completed_with_an_instance" CHECK ((status = 'completed') = (instance_id is not null))
);
--> statement-breakpoint
CREATE TABLE "products" (
	"product_id" text PRIMARY KEY NOT NULL,
	"product_version" integer NOT NULL,
	"provider_id" text NOT NULL,
	"provider_name" text NOT NULL,
	"name" text NOT NULL,
	"delivery_type" text NOT NULL,
	"published" boolean NOT NULL,
	"skus" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "skus" (
	"sku_id" text PRIMARY KEY NOT NULL,
	"product_id" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "timeline" (
	"entry_id" text PRIMARY KEY NOT NULL,
	"order_id" text NOT NULL,
	"version" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"what" text NOT NULL,
	"status" text NOT NULL,
	"reason" text,
	"amount" bigint,
	"awaits" jsonb,
	CONSTRAINT "timeline_version" UNIQUE("order_id","version")
);
--> statement-breakpoint
CREATE TABLE "trials" (
	"trial_id" text PRIMARY KEY NOT NULL,
	"order_id" text
);
--> statement-breakpoint
CREATE INDEX "orders_newest" ON "orders" USING btree ("account_id","placed_at","order_id");--> statement-breakpoint
CREATE INDEX "orders_by_status" ON "orders" USING btree ("account_id","status","placed_at","order_id");--> statement-breakpoint
CREATE INDEX "orders_by_product" ON "orders" USING btree ("account_id","product_id","placed_at","order_id");--> statement-breakpoint
CREATE INDEX "orders_number_begins" ON "orders" USING btree ("order_number" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "orders_instance" ON "orders" USING btree ("instance_id") WHERE instance_id is not null;