CREATE TABLE "notifications" (
	"notification_id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"kind" text NOT NULL,
	"product_name" text NOT NULL,
	"expires_at" timestamp with time zone,
	"days_ahead" integer,
	"created_at" timestamp with time zone NOT NULL,
	"read_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "instances" ADD COLUMN "case_id" text;--> statement-breakpoint
CREATE INDEX "notifications_by_account" ON "notifications" USING btree ("account_id","created_at","notification_id");--> statement-breakpoint
CREATE INDEX "notifications_unread" ON "notifications" USING btree ("account_id","created_at","notification_id") WHERE read_at is null;--> statement-breakpoint
CREATE INDEX "notifications_by_instance" ON "notifications" USING btree ("instance_id","created_at");