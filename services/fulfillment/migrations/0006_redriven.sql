ALTER TABLE "provider_calls" ADD COLUMN "redriven_by" text;--> statement-breakpoint
ALTER TABLE "provider_calls" ADD COLUMN "redriven_at" timestamp with time zone;