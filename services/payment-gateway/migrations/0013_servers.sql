ALTER TABLE "payments" ADD COLUMN "server_amount" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "payment_refunds" ADD COLUMN "server" bigint DEFAULT 0 NOT NULL;