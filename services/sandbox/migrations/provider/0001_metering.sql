CREATE TABLE "provider_cloud_keys" (
	"provider_id" text PRIMARY KEY NOT NULL,
	"secret_id" text NOT NULL,
	"secret_key" text NOT NULL,
	"endpoint" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "provider_instances" ADD COLUMN "flow_total" numeric(21, 6);--> statement-breakpoint
ALTER TABLE "provider_instances" ADD COLUMN "flow_used" numeric(21, 6) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "provider_instances" ADD COLUMN "flow_unit" text;--> statement-breakpoint
ALTER TABLE "provider_instances" ADD COLUMN "warn_at" numeric(21, 6);--> statement-breakpoint
ALTER TABLE "provider_instances" ADD COLUMN "is_warned" boolean DEFAULT false NOT NULL;