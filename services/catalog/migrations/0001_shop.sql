DROP INDEX "products_provider";--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "has_trial" boolean DEFAULT false NOT NULL;--> statement-breakpoint
UPDATE "products" SET "has_trial" = true WHERE skus @? '$[*] ? (@.onSale == true && exists(@.trialOf))';--> statement-breakpoint
CREATE INDEX "products_category" ON "products" USING btree ("category_id");--> statement-breakpoint
CREATE INDEX "products_skus" ON "products" USING gin (skus jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "products_provider" ON "products" USING btree ("provider_id","changed_at","product_id");