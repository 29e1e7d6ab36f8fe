ALTER TABLE "payment_attempts" ADD COLUMN "bank" text;--> statement-breakpoint
ALTER TABLE "payment_attempts" ADD COLUMN "channel_no" text;--> statement-breakpoint
ALTER TABLE "payment_attempts" ADD COLUMN "redirect" jsonb;--> statement-breakpoint
ALTER TABLE "payment_attempts" ADD COLUMN "approving_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "payment_attempts" ADD COLUMN "asked_at" timestamp with time zone;