ALTER TABLE "orders" ADD COLUMN "server" jsonb;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_image_with_a_server" CHECK ((delivery_type = 'image') = (server is not null));