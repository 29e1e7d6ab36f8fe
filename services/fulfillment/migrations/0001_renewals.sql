CREATE TABLE "renewals" (
	"order_id" text PRIMARY KEY NOT NULL,
	"instance_id" text NOT NULL,
	"kind" text NOT NULL,
	"refusal" text,
	"expires_at" timestamp with time zone,
	"ended_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "instances" ADD COLUMN "renewal" jsonb;--> statement-breakpoint
CREATE INDEX "renewals_by_instance" ON "renewals" USING btree ("instance_id");