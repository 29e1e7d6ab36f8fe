CREATE TABLE "cloud_calls" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"action" text NOT NULL,
	"region" text NOT NULL,
	"request" text NOT NULL,
	"answer" text NOT NULL,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cloud_images" (
	"image_id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"product" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cloud_mishaps" (
	"what" text PRIMARY KEY NOT NULL,
	"remaining" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cloud_servers" (
	"server_id" text PRIMARY KEY NOT NULL,
	"client_token" text NOT NULL,
	"asked" text NOT NULL,
	"name" text NOT NULL,
	"region" text NOT NULL,
	"zone" text NOT NULL,
	"machine_type" text NOT NULL,
	"image_id" text NOT NULL,
	"system_disk" jsonb NOT NULL,
	"data_disks" jsonb NOT NULL,
	"bandwidth_mbps" integer NOT NULL,
	"security_group_ids" jsonb NOT NULL,
	"tags" jsonb NOT NULL,
	"host_name" text NOT NULL,
	"password" text,
	"user_data" text,
	"private_ip" text NOT NULL,
	"public_ip" text,
	"created_at" timestamp with time zone NOT NULL,
	"ready_at" timestamp with time zone NOT NULL,
	"launch" text NOT NULL,
	"power" text NOT NULL,
	"operation" text NOT NULL,
	"operation_ends_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"returned_at" timestamp with time zone,
	"destroyed_at" timestamp with time zone,
	"paid" bigint NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "cloud_servers_token" ON "cloud_servers" USING btree ("client_token");--> statement-breakpoint
CREATE INDEX "cloud_servers_newest" ON "cloud_servers" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "cloud_servers_tags" ON "cloud_servers" USING gin ("tags");