ALTER TABLE "renewals" ADD COLUMN "renewed_from" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "suspensions" ADD COLUMN "outcome" text;--> statement-breakpoint
ALTER TABLE "suspensions" ADD COLUMN "ended_at" timestamp with time zone;