CREATE TABLE "published_endpoints" (
	"product_id" text PRIMARY KEY NOT NULL,
	"endpoint_version" integer NOT NULL,
	"published_at" timestamp with time zone NOT NULL
);
