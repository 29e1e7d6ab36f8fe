CREATE TABLE "unionpay_notices" (
	"notice_id" text PRIMARY KEY NOT NULL,
	"about" text NOT NULL,
	"url" text NOT NULL,
	"fields" jsonb NOT NULL,
	"attempts" integer NOT NULL,
	"next_at" timestamp with time zone,
	"lease_until" timestamp with time zone,
	"losses" integer NOT NULL,
	"last_answer" text,
	"traceparent" text
);
--> statement-breakpoint
CREATE TABLE "unionpay_orders" (
	"order_key" text PRIMARY KEY NOT NULL,
	"mer_id" text NOT NULL,
	"order_id" text NOT NULL,
	"txn_time" text NOT NULL,
	"asked" text NOT NULL,
	"amount" bigint NOT NULL,
	"pay_until" timestamp with time zone NOT NULL,
	"front_url" text NOT NULL,
	"back_url" text NOT NULL,
	"token" text NOT NULL,
	"query_id" text NOT NULL,
	"trace_no" text NOT NULL,
	"bank_payment_no" text,
	"state" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"paid_at" timestamp with time zone,
	"settle_day" text,
	"traceparent" text,
	CONSTRAINT "unionpay_orders_token_unique" UNIQUE("token"),
	CONSTRAINT "unionpay_orders_query_id_unique" UNIQUE("query_id")
);
--> statement-breakpoint
CREATE TABLE "unionpay_refunds" (
	"order_key" text PRIMARY KEY NOT NULL,
	"mer_id" text NOT NULL,
	"order_id" text NOT NULL,
	"txn_time" text NOT NULL,
	"payment_key" text NOT NULL,
	"orig_query_id" text NOT NULL,
	"amount" bigint NOT NULL,
	"back_url" text NOT NULL,
	"query_id" text NOT NULL,
	"trace_no" text NOT NULL,
	"state" text NOT NULL,
	"settles_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"settle_day" text,
	CONSTRAINT "unionpay_refunds_query_id_unique" UNIQUE("query_id")
);
--> statement-breakpoint
CREATE INDEX "unionpay_notices_due" ON "unionpay_notices" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "unionpay_orders_of_state" ON "unionpay_orders" USING btree ("state");--> statement-breakpoint
CREATE INDEX "unionpay_orders_settled" ON "unionpay_orders" USING btree ("mer_id","settle_day");--> statement-breakpoint
CREATE INDEX "unionpay_refunds_of_payment" ON "unionpay_refunds" USING btree ("payment_key");--> statement-breakpoint
CREATE INDEX "unionpay_refunds_settled" ON "unionpay_refunds" USING btree ("mer_id","settle_day");