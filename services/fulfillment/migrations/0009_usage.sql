CREATE TABLE "cloud_key_rings" (
	"provider_id" text PRIMARY KEY NOT NULL,
	"active" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cloud_keys" (
	"secret_id" text PRIMARY KEY NOT NULL,
	"provider_id" text NOT NULL,
	"secret_key" text NOT NULL,
	"status" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"disabled_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "usages" (
	"instance_id" text PRIMARY KEY NOT NULL,
	"call_seq" integer NOT NULL,
	"total" text,
	"used" text,
	"unit" text,
	"as_of" timestamp with time zone,
	"asked_at" timestamp with time zone,
	"trouble" jsonb,
	"query" jsonb,
	"setting" jsonb,
	"reminder" jsonb,
	"refused" jsonb,
	"reminders" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "passed_metering" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "is_metering" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "instances" ADD COLUMN "flow" jsonb;--> statement-breakpoint
ALTER TABLE "notifications" ADD COLUMN "usage" jsonb;--> statement-breakpoint
CREATE INDEX "cloud_keys_by_provider" ON "cloud_keys" USING btree ("provider_id","created_at","secret_id");