CREATE TABLE "upstreams" (
	"product_id" text PRIMARY KEY NOT NULL,
	"version" integer NOT NULL,
	"provider_id" text NOT NULL,
	"url" text NOT NULL,
	"token" text NOT NULL,
	"checked_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "instances" ADD COLUMN "api" jsonb;--> statement-breakpoint
ALTER TABLE "renewals" ADD COLUMN "calls" integer;