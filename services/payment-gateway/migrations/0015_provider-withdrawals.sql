CREATE TABLE "provider_withdrawals" (
	"withdrawal_id" text PRIMARY KEY NOT NULL,
	"provider_id" text NOT NULL,
	"payee" text NOT NULL,
	"amount" bigint NOT NULL,
	"status" text NOT NULL,
	"requested_by" text NOT NULL,
	"channel_no" text,
	"failure" text,
	"created_at" timestamp with time zone NOT NULL,
	"paid_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"checks" integer NOT NULL,
	"watched" boolean NOT NULL
);
--> statement-breakpoint
CREATE INDEX "provider_withdrawals_of" ON "provider_withdrawals" USING btree ("provider_id","created_at","withdrawal_id");--> statement-breakpoint
CREATE INDEX "provider_withdrawals_watched" ON "provider_withdrawals" USING btree ("provider_id") WHERE watched;