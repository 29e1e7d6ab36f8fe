CREATE TABLE "test_clock" (
	"id" integer PRIMARY KEY NOT NULL,
	"offset_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "wechat_notices" (
	"id" text PRIMARY KEY NOT NULL,
	"about" text NOT NULL,
	"event_type" text NOT NULL,
	"original_type" text NOT NULL,
	"summary" text NOT NULL,
	"content" text NOT NULL,
	"url" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"attempts" integer NOT NULL,
	"next_at" timestamp with time zone,
	"lease_until" timestamp with time zone,
	"losses" integer NOT NULL,
	"probe" boolean NOT NULL,
	"probe_accepted" boolean NOT NULL,
	"state" text NOT NULL,
	"last_answer" text,
	"traceparent" text
);
--> statement-breakpoint
CREATE TABLE "wechat_orders" (
	"number" text PRIMARY KEY NOT NULL,
	"asked" text NOT NULL,
	"code" text NOT NULL,
	"code_until" timestamp with time zone NOT NULL,
	"state" text NOT NULL,
	"notify_url" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"paid_at" timestamp with time zone,
	"closed_at" timestamp with time zone,
	"openid" text,
	"bank_type" text,
	"traceparent" text,
	CONSTRAINT "wechat_orders_code_unique" UNIQUE("code")
);
--> statement-breakpoint
CREATE TABLE "wechat_refunds" (
	"out_refund_no" text PRIMARY KEY NOT NULL,
	"refund_id" text NOT NULL,
	"out_trade_no" text NOT NULL,
	"asked" text NOT NULL,
	"amount" bigint NOT NULL,
	"status" text NOT NULL,
	"ends_as" text NOT NULL,
	"settles_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"notify_url" text,
	"traceparent" text,
	CONSTRAINT "wechat_refunds_refund_id_unique" UNIQUE("refund_id")
);
--> statement-breakpoint
CREATE TABLE "wechat_sub_orders" (
	"out_trade_no" text PRIMARY KEY NOT NULL,
	"order_number" text NOT NULL,
	"position" integer NOT NULL,
	"sub_mchid" text NOT NULL,
	"amount" bigint NOT NULL,
	"description" text NOT NULL,
	"attach" text NOT NULL,
	"transaction_id" text,
	CONSTRAINT "wechat_sub_orders_transaction_id_unique" UNIQUE("transaction_id")
);
--> statement-breakpoint
CREATE TABLE "wechat_switches" (
	"what" text PRIMARY KEY NOT NULL,
	"times" integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX "wechat_notices_due" ON "wechat_notices" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "wechat_refunds_by_payment" ON "wechat_refunds" USING btree ("out_trade_no");--> statement-breakpoint
CREATE INDEX "wechat_refunds_due" ON "wechat_refunds" USING btree ("status","settles_at");--> statement-breakpoint
CREATE INDEX "wechat_sub_orders_by_order" ON "wechat_sub_orders" USING btree ("order_number");