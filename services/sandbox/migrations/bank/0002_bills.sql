CREATE TABLE "bank_bill_mistakes" (
	"mistake_id" text PRIMARY KEY NOT NULL,
	"day" text NOT NULL,
	"what" text NOT NULL,
	"about" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "bank_refunds" ADD COLUMN "accepted_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "bank_payments_paid" ON "bank_payments" USING btree ("paid_at");