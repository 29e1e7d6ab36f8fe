CREATE TABLE "reconciliation_differences" (
	"difference_id" text PRIMARY KEY NOT NULL,
	"reconciliation_id" text NOT NULL,
	"class" text NOT NULL,
	"kind" text NOT NULL,
	"number" text NOT NULL,
	"order_id" text,
	"channel_no" text,
	"ours" bigint,
	"theirs" bigint,
	"explanation" text NOT NULL,
	"status" text NOT NULL,
	"found_at" timestamp with time zone NOT NULL,
	"resolution" text,
	"reason" text,
	"proposed_by" text,
	"decided_by" text,
	"decided_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "refund_offline" (
	"refund_no" text PRIMARY KEY NOT NULL,
	"order_id" text NOT NULL,
	"status" text NOT NULL,
	"evidence" text NOT NULL,
	"proposed_by" text NOT NULL,
	"proposed_at" timestamp with time zone NOT NULL,
	"decided_by" text,
	"decided_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "reconciliations" (
	"reconciliation_id" text PRIMARY KEY NOT NULL,
	"channel" text NOT NULL,
	"day" text NOT NULL,
	"status" text NOT NULL,
	"hash" text,
	"lines" integer NOT NULL,
	"runs" integer NOT NULL,
	"failures" integer NOT NULL,
	"failure" text,
	"ran_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "statement_lines" (
	"line_id" text PRIMARY KEY NOT NULL,
	"channel" text NOT NULL,
	"day" text NOT NULL,
	"kind" text NOT NULL,
	"number" text NOT NULL,
	"channel_no" text NOT NULL,
	"payee" text NOT NULL,
	"amount" bigint NOT NULL,
	"fee" bigint NOT NULL,
	"state" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "reconciliation_differences_of" ON "reconciliation_differences" USING btree ("reconciliation_id");--> statement-breakpoint
CREATE INDEX "reconciliation_differences_by_status" ON "reconciliation_differences" USING btree ("status","found_at");--> statement-breakpoint
CREATE INDEX "statement_lines_by_number" ON "statement_lines" USING btree ("number");