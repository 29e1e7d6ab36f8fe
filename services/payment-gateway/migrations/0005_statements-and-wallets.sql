CREATE TABLE "provider_statements" (
	"provider_id" text NOT NULL,
	"month" text NOT NULL,
	"sales" integer NOT NULL,
	"sold" bigint NOT NULL,
	"commission" bigint NOT NULL,
	"refunds" integer NOT NULL,
	"refunded" bigint NOT NULL,
	"commission_back" bigint NOT NULL,
	"released" bigint NOT NULL,
	"withdrawn" bigint NOT NULL,
	CONSTRAINT "provider_statements_provider_id_month_pk" PRIMARY KEY("provider_id","month")
);
--> statement-breakpoint
CREATE TABLE "wallets" (
	"account_id" text PRIMARY KEY NOT NULL,
	"wechat" bigint NOT NULL,
	"qq_wallet" bigint NOT NULL,
	"e_banking" bigint NOT NULL,
	"offline" bigint NOT NULL,
	"frozen" bigint NOT NULL,
	"owed" bigint NOT NULL,
	"bank_account" jsonb
);
--> statement-breakpoint
CREATE TABLE "wallet_withdrawals" (
	"withdrawal_id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"source" text NOT NULL,
	"amount" bigint NOT NULL,
	"status" text NOT NULL,
	"requested_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expected_by" timestamp with time zone NOT NULL,
	"late" boolean NOT NULL,
	"proposal" jsonb,
	"failure" text,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "ledger_closing" ADD COLUMN "issued_through" timestamp with time zone DEFAULT '2000-01-01T00:00:00.000Z' NOT NULL;--> statement-breakpoint
CREATE INDEX "wallet_withdrawals_of_account" ON "wallet_withdrawals" USING btree ("account_id","created_at","withdrawal_id");--> statement-breakpoint
CREATE INDEX "wallet_withdrawals_by_time" ON "wallet_withdrawals" USING btree ("created_at","withdrawal_id");--> statement-breakpoint
CREATE INDEX "wallet_withdrawals_open" ON "wallet_withdrawals" USING btree ("account_id") WHERE ended_at is null;