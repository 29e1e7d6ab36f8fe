CREATE TABLE "accesses" (
	"instance_id" text PRIMARY KEY NOT NULL,
	"version" integer NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"product_id" text NOT NULL,
	"is_usable" boolean NOT NULL,
	"calls_bought" bigint NOT NULL,
	"expires_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"secret_id" text PRIMARY KEY NOT NULL,
	"instance_id" text NOT NULL,
	"secret_key" text,
	"status" text NOT NULL,
	"valid_until" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "api_calls" (
	"call_id" text PRIMARY KEY NOT NULL,
	"instance_id" text NOT NULL,
	"account_id" text NOT NULL,
	"secret_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"method" text NOT NULL,
	"path" text NOT NULL,
	"status" integer,
	"duration_ms" integer
);
--> statement-breakpoint
CREATE TABLE "api_call_counts" (
	"instance_id" text NOT NULL,
	"secret_id" text NOT NULL,
	"day" text NOT NULL,
	"calls" bigint NOT NULL,
	CONSTRAINT "api_call_counts_instance_id_secret_id_day_pk" PRIMARY KEY("instance_id","secret_id","day")
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"holder" text NOT NULL,
	"instance_id" text NOT NULL,
	"outstanding" bigint NOT NULL,
	CONSTRAINT "leases_holder_instance_id_pk" PRIMARY KEY("holder","instance_id")
);
--> statement-breakpoint
CREATE TABLE "meters" (
	"instance_id" text PRIMARY KEY NOT NULL,
	"used" bigint NOT NULL,
	"leased" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "upstreams" (
	"product_id" text PRIMARY KEY NOT NULL,
	"version" integer NOT NULL,
	"url" text NOT NULL,
	"token" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "api_keys_by_instance" ON "api_keys" USING btree ("instance_id");--> statement-breakpoint
CREATE INDEX "api_calls_by_instance" ON "api_calls" USING btree ("instance_id","at","call_id");--> statement-breakpoint
CREATE INDEX "api_calls_by_time" ON "api_calls" USING btree ("at");