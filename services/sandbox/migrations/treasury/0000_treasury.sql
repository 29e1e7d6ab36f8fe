CREATE TABLE "treasury_payouts" (
	"number" text PRIMARY KEY NOT NULL,
	"source" text NOT NULL,
	"amount" bigint NOT NULL,
	"asked_at" timestamp with time zone NOT NULL
);
