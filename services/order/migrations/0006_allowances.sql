CREATE TABLE "allowances" (
	"allowance_id" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE INDEX "orders_of_sku" ON "orders" USING btree ("account_id","sku_id") WHERE kind <> 'renewal' and status not in ('cancelled', 'closed', 'failed');