ALTER TABLE "orders" ADD COLUMN "deleted_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "orders_of_provider" ON "orders" USING btree ("provider_id","placed_at","order_id");--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_deleted" CHECK (deleted_at is null or (status in ('cancelled', 'closed') and paid_at is null));