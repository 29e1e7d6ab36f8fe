CREATE TABLE "bank_notices" (
	"event_id" text PRIMARY KEY NOT NULL,
	"about" text NOT NULL,
	"url" text NOT NULL,
	"body" text NOT NULL,
	"attempts" integer NOT NULL,
	"next_at" timestamp with time zone,
	"lease_until" timestamp with time zone,
	"losses" integer NOT NULL,
	"last_answer" text,
	"traceparent" text
);
--> statement-breakpoint
CREATE TABLE "bank_payments" (
	"out_payment_id" text PRIMARY KEY NOT NULL,
	"payment_id" text NOT NULL,
	"asked" text NOT NULL,
	"amount" bigint NOT NULL,
	"ent_id" text NOT NULL,
	"ent_name" text NOT NULL,
	"memo" text NOT NULL,
	"attachment" text NOT NULL,
	"bank" text NOT NULL,
	"notify_url" text NOT NULL,
	"return_url" text,
	"status" text NOT NULL,
	"token" text NOT NULL,
	"token_until" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"voucher_no" text,
	"customer_no" text,
	"maker" text,
	"checker" text,
	"accepted_at" timestamp with time zone,
	"approve_until" timestamp with time zone,
	"paid_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"failed_type" text,
	"failed_detail" text,
	"traceparent" text,
	CONSTRAINT "bank_payments_payment_id_unique" UNIQUE("payment_id"),
	CONSTRAINT "bank_payments_token_unique" UNIQUE("token"),
	CONSTRAINT "bank_payments_voucher_no_unique" UNIQUE("voucher_no")
);
--> statement-breakpoint
CREATE TABLE "bank_refunds" (
	"out_refund_id" text PRIMARY KEY NOT NULL,
	"refund_id" text NOT NULL,
	"out_payment_id" text NOT NULL,
	"asked" text NOT NULL,
	"amount" bigint NOT NULL,
	"status" text NOT NULL,
	"settles_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"notify_url" text,
	CONSTRAINT "bank_refunds_refund_id_unique" UNIQUE("refund_id")
);
--> statement-breakpoint
CREATE INDEX "bank_notices_due" ON "bank_notices" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "bank_payments_of_checker" ON "bank_payments" USING btree ("customer_no","checker");