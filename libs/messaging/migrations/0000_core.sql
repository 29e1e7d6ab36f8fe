CREATE TABLE "barrier" (
	"saga_id" text NOT NULL,
	"step" text NOT NULL,
	"direction" text NOT NULL,
	"reply" text,
	"answer" text,
	CONSTRAINT "barrier_saga_id_step_direction_pk" PRIMARY KEY("saga_id","step","direction")
);
--> statement-breakpoint
CREATE TABLE "calls" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"request" jsonb NOT NULL,
	"open" boolean NOT NULL,
	"attempts" integer NOT NULL,
	"not_before" timestamp with time zone NOT NULL,
	"leased_until" timestamp with time zone NOT NULL,
	"last_error" text,
	"created_at" timestamp with time zone NOT NULL,
	"traceparent" text
);
--> statement-breakpoint
CREATE TABLE "dead_letters" (
	"seq" bigserial PRIMARY KEY NOT NULL,
	"source" text NOT NULL,
	"name" text NOT NULL,
	"subject" text,
	"message_id" text,
	"body" text NOT NULL,
	"headers" jsonb NOT NULL,
	"error" text NOT NULL,
	"attempts" integer NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"state" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "deadlines" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"attempts" integer NOT NULL,
	"last_error" text,
	"traceparent" text
);
--> statement-breakpoint
CREATE TABLE "idempotency" (
	"account" text NOT NULL,
	"key" text NOT NULL,
	"hash" text NOT NULL,
	"status" integer NOT NULL,
	"body" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_account_key_pk" PRIMARY KEY("account","key")
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"id" uuid PRIMARY KEY NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" uuid PRIMARY KEY NOT NULL,
	"subject" text NOT NULL,
	"body" text NOT NULL,
	"traceparent" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "saga_log" (
	"id" text PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"input" jsonb NOT NULL,
	"phase" text NOT NULL,
	"step" text,
	"data" jsonb NOT NULL,
	"sent" text
);
--> statement-breakpoint
CREATE TABLE "sagas" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"version" integer NOT NULL,
	"key" text NOT NULL,
	"phase" text NOT NULL,
	"step" text,
	"state" jsonb NOT NULL,
	"seq" integer NOT NULL,
	"wake_at" timestamp with time zone,
	"deadline_at" timestamp with time zone,
	"started_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"traceparent" text
);
--> statement-breakpoint
CREATE TABLE "streams_seen" (
	"stream" text PRIMARY KEY NOT NULL,
	"server_id" text NOT NULL,
	"created" text NOT NULL,
	"last_seq" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "test_clock" (
	"id" integer PRIMARY KEY NOT NULL,
	"offset_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "calls_open" ON "calls" USING btree ("not_before") WHERE open;--> statement-breakpoint
CREATE INDEX "calls_key" ON "calls" USING btree ("key");--> statement-breakpoint
CREATE INDEX "dead_letters_open" ON "dead_letters" USING btree ("seq") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "deadlines_due_at" ON "deadlines" USING btree ("due_at");--> statement-breakpoint
CREATE INDEX "idempotency_created_at" ON "idempotency" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "inbox_received_at" ON "inbox" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "sagas_wake_at" ON "sagas" USING btree ("wake_at") WHERE wake_at is not null;--> statement-breakpoint
CREATE INDEX "sagas_key" ON "sagas" USING btree ("key");--> statement-breakpoint
CREATE INDEX "sagas_phase" ON "sagas" USING btree ("phase","id");