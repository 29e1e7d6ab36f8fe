CREATE TABLE "ledger_balances" (
	"account" text PRIMARY KEY NOT NULL,
	"debit" bigint NOT NULL,
	"credit" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ledger_closing" (
	"ledger" text PRIMARY KEY NOT NULL,
	"through" timestamp with time zone NOT NULL
);
--> statement-breakpoint
DROP INDEX "ledger_postings_by_account";--> statement-breakpoint
DROP INDEX "ledger_postings_of_account";--> statement-breakpoint
ALTER TABLE "ledger_postings" ALTER COLUMN "order_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger_postings" ALTER COLUMN "account_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "delivery_type" text DEFAULT 'saas' NOT NULL;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "settlement" text;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "release_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "released_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "payment_refunds" ADD COLUMN "commission" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "payment_refunds" ADD COLUMN "share_back" text DEFAULT 'none' NOT NULL;--> statement-breakpoint
ALTER TABLE "payment_refunds" ADD COLUMN "reason" text;--> statement-breakpoint
CREATE INDEX "ledger_postings_by_time" ON "ledger_postings" USING btree ("at","posting_id");--> statement-breakpoint
CREATE INDEX "ledger_postings_of_buyer" ON "ledger_postings" USING btree ("account_id","at","posting_id") WHERE (account like 'channel\_clearing:%' or account like 'wallet:%');--> statement-breakpoint
CREATE INDEX "ledger_postings_of_account" ON "ledger_postings" USING btree ("account","at","amount");