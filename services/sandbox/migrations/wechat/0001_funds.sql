CREATE TABLE "wechat_bill_mistakes" (
	"mistake_id" text PRIMARY KEY NOT NULL,
	"day" text NOT NULL,
	"what" text NOT NULL,
	"about" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "wechat_flows" (
	"flow_no" text PRIMARY KEY NOT NULL,
	"account" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"business" text NOT NULL,
	"amount" bigint NOT NULL,
	"business_no" text NOT NULL,
	"proof" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "wechat_receivers" (
	"receiver" text PRIMARY KEY NOT NULL,
	"relation" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "wechat_share_returns" (
	"out_return_no" text PRIMARY KEY NOT NULL,
	"return_no" text NOT NULL,
	"out_order_no" text NOT NULL,
	"out_trade_no" text NOT NULL,
	"return_mchid" text NOT NULL,
	"asked" text NOT NULL,
	"amount" bigint NOT NULL,
	"result" text NOT NULL,
	"ends_as" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"settles_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "wechat_share_returns_return_no_unique" UNIQUE("return_no")
);
--> statement-breakpoint
CREATE TABLE "wechat_shares" (
	"out_order_no" text PRIMARY KEY NOT NULL,
	"order_id" text NOT NULL,
	"out_trade_no" text NOT NULL,
	"transaction_id" text NOT NULL,
	"sub_mchid" text NOT NULL,
	"asked" text NOT NULL,
	"receivers" jsonb NOT NULL,
	"finish" boolean NOT NULL,
	"finish_amount" bigint NOT NULL,
	"status" text NOT NULL,
	"ends_as" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"settles_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "wechat_shares_order_id_unique" UNIQUE("order_id")
);
--> statement-breakpoint
CREATE TABLE "wechat_withdrawals" (
	"out_request_no" text PRIMARY KEY NOT NULL,
	"withdraw_id" text NOT NULL,
	"sub_mchid" text NOT NULL,
	"amount" bigint NOT NULL,
	"remark" text,
	"asked" text NOT NULL,
	"status" text NOT NULL,
	"ends_as" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"changed_at" timestamp with time zone NOT NULL,
	"settles_at" timestamp with time zone,
	"notify_url" text,
	"traceparent" text,
	CONSTRAINT "wechat_withdrawals_withdraw_id_unique" UNIQUE("withdraw_id")
);
--> statement-breakpoint
ALTER TABLE "wechat_sub_orders" ADD COLUMN "profit_sharing" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "wechat_sub_orders" ADD COLUMN "frozen" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "wechat_bill_mistakes_of_day" ON "wechat_bill_mistakes" USING btree ("day");--> statement-breakpoint
CREATE INDEX "wechat_flows_of_account" ON "wechat_flows" USING btree ("account","at");--> statement-breakpoint
CREATE INDEX "wechat_share_returns_by_share" ON "wechat_share_returns" USING btree ("out_order_no");--> statement-breakpoint
CREATE INDEX "wechat_share_returns_due" ON "wechat_share_returns" USING btree ("result","settles_at");--> statement-breakpoint
CREATE INDEX "wechat_shares_by_payment" ON "wechat_shares" USING btree ("out_trade_no");--> statement-breakpoint
CREATE INDEX "wechat_shares_due" ON "wechat_shares" USING btree ("status","settles_at");--> statement-breakpoint
CREATE INDEX "wechat_withdrawals_due" ON "wechat_withdrawals" USING btree ("settles_at");--> statement-breakpoint
CREATE INDEX "wechat_sub_orders_by_merchant" ON "wechat_sub_orders" USING btree ("sub_mchid");--> statement-breakpoint
-- Money that was paid and refunded before accounts were kept.
INSERT INTO "wechat_flows" (flow_no, account, at, business, amount, business_no, proof)
  SELECT '交易:' || s.transaction_id || ':' || s.sub_mchid, s.sub_mchid, o.paid_at, '交易', s.amount, s.transaction_id, s.out_trade_no
  FROM "wechat_sub_orders" s JOIN "wechat_orders" o ON o.number = s.order_number WHERE o.state = 'SUCCESS' AND s.transaction_id IS NOT NULL
  UNION ALL
  SELECT '退款:' || r.refund_id || ':' || s.sub_mchid, s.sub_mchid, r.created_at, '退款', -r.amount, r.refund_id, r.out_refund_no
  FROM "wechat_refunds" r JOIN "wechat_sub_orders" s ON s.out_trade_no = r.out_trade_no WHERE r.status <> 'CLOSED';
