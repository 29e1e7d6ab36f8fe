ALTER TABLE "orders" ADD COLUMN "human_delivery" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "human_delivery" boolean DEFAULT false NOT NULL;--> statement-breakpoint
-- Known products are learned anew, because their replica did not say which of them people deliver.
UPDATE "products" SET "product_version" = 0;
