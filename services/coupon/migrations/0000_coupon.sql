CREATE TABLE "claims" (
	"claim_id" text PRIMARY KEY NOT NULL,
	"number" text NOT NULL,
	"coupon_id" text NOT NULL,
	"account_id" text NOT NULL,
	"claimed_by" text NOT NULL,
	"name" text NOT NULL,
	"provider_id" text NOT NULL,
	"provider_name" text NOT NULL,
	"benefit" jsonb NOT NULL,
	"scope" jsonb NOT NULL,
	"scenes" jsonb NOT NULL,
	"claimed_at" timestamp with time zone NOT NULL,
	"valid_from" timestamp with time zone NOT NULL,
	"valid_until" timestamp with time zone NOT NULL,
	"status" text NOT NULL,
	"order_id" text,
	"deduction" bigint,
	"reserved_at" timestamp with time zone,
	"used_at" timestamp with time zone,
	"released_by" jsonb NOT NULL,
	CONSTRAINT "claims_number" UNIQUE("number"),
	CONSTRAINT "claims_held_by_an_order_or_usable" CHECK ((status = 'usable') = (order_id is null) and (order_id is null) = (deduction is null)),
	CONSTRAINT "claims_used_at" CHECK ((status = 'used') = (used_at is not null))
);
--> statement-breakpoint
CREATE TABLE "coupons" (
	"coupon_id" text PRIMARY KEY NOT NULL,
	"number" text NOT NULL,
	"name" text NOT NULL,
	"provider_id" text NOT NULL,
	"provider_name" text NOT NULL,
	"benefit" jsonb NOT NULL,
	"scope" jsonb NOT NULL,
	"scenes" jsonb NOT NULL,
	"stock" integer NOT NULL,
	"per_buyer" integer NOT NULL,
	"claimed" integer NOT NULL,
	"claim_from" timestamp with time zone NOT NULL,
	"claim_until" timestamp with time zone NOT NULL,
	"valid_from" timestamp with time zone,
	"valid_until" timestamp with time zone,
	"valid_days" integer,
	"listed" boolean NOT NULL,
	"status" text NOT NULL,
	"published_at" timestamp with time zone NOT NULL,
	CONSTRAINT "coupons_number" UNIQUE("number"),
	CONSTRAINT "coupons_never_more_than_the_stock" CHECK (claimed between 0 and stock),
	CONSTRAINT "coupons_one_validity" CHECK ((valid_days is null) = (valid_from is not null) and (valid_from is null) = (valid_until is null))
);
--> statement-breakpoint
CREATE TABLE "products" (
	"product_id" text PRIMARY KEY NOT NULL,
	"product_version" integer NOT NULL,
	"provider_id" text NOT NULL,
	"name" text NOT NULL,
	"delivery_type" text NOT NULL,
	"published" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tallies" (
	"tally_id" text PRIMARY KEY NOT NULL,
	"claimed" integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX "claims_newest" ON "claims" USING btree ("account_id","claimed_at","claim_id");--> statement-breakpoint
CREATE INDEX "claims_soonest" ON "claims" USING btree ("account_id","valid_until","claim_id");--> statement-breakpoint
CREATE INDEX "coupons_provider" ON "coupons" USING btree ("provider_id","claim_until");--> statement-breakpoint
CREATE INDEX "coupons_open" ON "coupons" USING btree ("claim_until","coupon_id") WHERE listed;--> statement-breakpoint
CREATE INDEX "products_provider" ON "products" USING btree ("provider_id");