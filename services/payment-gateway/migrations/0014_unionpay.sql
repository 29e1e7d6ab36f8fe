CREATE TABLE "unionpay_forms" (
	"number" text PRIMARY KEY NOT NULL,
	"token" text NOT NULL,
	"order_id" text NOT NULL,
	"mer_id" text NOT NULL,
	"amount" bigint NOT NULL,
	"description" text NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"txn_time" text,
	"voided_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "unionpay_forms_token_unique" UNIQUE("token")
);
--> statement-breakpoint
CREATE TABLE "unionpay_refunds" (
	"refund_no" text PRIMARY KEY NOT NULL,
	"txn_time" text NOT NULL
);
