ALTER TABLE "payment_attempts" ALTER COLUMN "redirect" SET DATA TYPE text;--> statement-breakpoint
ALTER TABLE "merchants" ADD COLUMN "company" text;