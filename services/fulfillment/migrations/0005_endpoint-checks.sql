CREATE TABLE "endpoint_checks" (
	"check_id" text PRIMARY KEY NOT NULL,
	"product_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"state" text NOT NULL,
	"started_by" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"steps" jsonb NOT NULL,
	"results" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "endpoints" ALTER COLUMN "dialect" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ALTER COLUMN "url" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ALTER COLUMN "token" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ALTER COLUMN "verified_at" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "debug_dialect" text;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "debug_url" text;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "debug_token" text;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "debug_seq" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "passed_seq" integer;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "running_check" jsonb;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "published_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "probed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "failing_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "endpoints" ADD COLUMN "probe_note" text;--> statement-breakpoint
CREATE INDEX "endpoint_checks_newest" ON "endpoint_checks" USING btree ("product_id","started_at","check_id");--> statement-breakpoint
CREATE INDEX "endpoints_by_provider" ON "endpoints" USING btree ("provider_id","product_id");--> statement-breakpoint
CREATE INDEX "endpoints_failing" ON "endpoints" USING btree ("product_id") WHERE failing_since is not null;--> statement-breakpoint
ALTER TABLE "endpoints" ALTER COLUMN "version" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "endpoints" ALTER COLUMN "debug_seq" DROP DEFAULT;--> statement-breakpoint
-- What deliveries go to stays published; to be published anew it has to pass its check.
UPDATE "endpoints" SET "debug_dialect" = "dialect", "debug_url" = "url", "debug_token" = "token", "published_at" = "verified_at";
--> statement-breakpoint
INSERT INTO "deadlines" ("id", "kind", "key", "due_at", "attempts") SELECT 'endpoint.probe ' || "product_id", 'endpoint.probe', "product_id", now(), 0 FROM "endpoints" ON CONFLICT DO NOTHING;
