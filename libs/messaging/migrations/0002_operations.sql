CREATE TABLE "audit" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"object" text NOT NULL,
	"reason" text
);
--> statement-breakpoint
CREATE INDEX "audit_object" ON "audit" USING btree ("object","id");--> statement-breakpoint
CREATE FUNCTION "audit_is_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  raise exception 'the audit is append-only';
end
$$;--> statement-breakpoint
CREATE TRIGGER "audit_is_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit" FOR EACH STATEMENT EXECUTE FUNCTION "audit_is_append_only"();--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "error_class" text;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "retries" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "first_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
UPDATE "dead_letters" SET "error_class" = split_part("error", ':', 1), "first_at" = "at";--> statement-breakpoint
ALTER TABLE "dead_letters" ALTER COLUMN "error_class" SET NOT NULL;--> statement-breakpoint
-- A crash between the burial and the acknowledgement buried a message twice: the newest letter stands for both.
DELETE FROM "dead_letters" a USING "dead_letters" b WHERE a."source" = b."source" AND a."message_id" = b."message_id" AND a."seq" < b."seq";--> statement-breakpoint
CREATE UNIQUE INDEX "dead_letters_of_one_message" ON "dead_letters" USING btree ("source","message_id") WHERE message_id is not null;--> statement-breakpoint
ALTER TABLE "sagas" ADD COLUMN "trouble" jsonb;--> statement-breakpoint
CREATE INDEX "sagas_trouble" ON "sagas" USING btree ("id") WHERE trouble is not null;
