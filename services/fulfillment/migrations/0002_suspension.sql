CREATE TABLE "suspensions" (
	"order_id" text PRIMARY KEY NOT NULL,
	"suspended_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "instances" ADD COLUMN "suspended_at" timestamp with time zone;