CREATE TABLE "auto_renewals" (
	"instance_id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"user_id" text NOT NULL,
	"is_on" boolean NOT NULL,
	"duration" integer NOT NULL,
	"po_number" text,
	"agreements" jsonb NOT NULL,
	"changed_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"decided_for" timestamp with time zone,
	"order_id" text,
	"refusal" text,
	CONSTRAINT "auto_renewals_decided" CHECK (order_id is null or refusal is null)
);
--> statement-breakpoint
CREATE INDEX "auto_renewals_of_account" ON "auto_renewals" USING btree ("account_id","instance_id");