ALTER TABLE "orders" DROP CONSTRAINT "orders_number";--> statement-breakpoint
DROP INDEX "orders_number_begins";--> statement-breakpoint
DROP INDEX "orders_by_status";--> statement-breakpoint
CREATE UNIQUE INDEX "orders_number" ON "orders" USING btree ("order_number" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "orders_of_product" ON "orders" USING btree ("product_id","placed_at","order_id");--> statement-breakpoint
CREATE INDEX "orders_of_user" ON "orders" USING btree ("user_id","placed_at","order_id");--> statement-breakpoint
CREATE INDEX "orders_of_provider_by_status" ON "orders" USING btree ("provider_id","status","placed_at","order_id") WHERE status <> 'completed';--> statement-breakpoint
CREATE INDEX "orders_in_status" ON "orders" USING btree ("status","order_id") WHERE status <> 'completed';--> statement-breakpoint
CREATE INDEX "orders_by_kind" ON "orders" USING btree ("account_id","kind","placed_at","order_id") WHERE kind <> 'new_purchase';--> statement-breakpoint
CREATE INDEX "orders_of_provider_by_kind" ON "orders" USING btree ("provider_id","kind","placed_at","order_id") WHERE kind <> 'new_purchase';--> statement-breakpoint
CREATE INDEX "orders_of_kind" ON "orders" USING btree ("kind","order_id") WHERE kind <> 'new_purchase';--> statement-breakpoint
CREATE INDEX "orders_by_status" ON "orders" USING btree ("account_id","status","placed_at","order_id") WHERE status <> 'completed';