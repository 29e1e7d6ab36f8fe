DROP INDEX "sagas_wake_at";--> statement-breakpoint
DROP INDEX "inbox_received_at";--> statement-breakpoint
ALTER TABLE "sagas" ADD COLUMN "look_at" timestamp with time zone;--> statement-breakpoint
UPDATE "sagas" SET "look_at" = "wake_at";--> statement-breakpoint
-- A saga's row is replaced at each move: with room on its page the new version needs no entries in the indexes.
ALTER TABLE "sagas" SET (fillfactor = 50);--> statement-breakpoint
CREATE INDEX "sagas_look_at" ON "sagas" USING btree ("look_at") WHERE look_at is not null;--> statement-breakpoint
CREATE INDEX "inbox_received_at" ON "inbox" USING brin ("received_at") WITH (autosummarize=true);