ALTER TABLE "orders" ADD COLUMN "first_total" bigint;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "first_payable" bigint;--> statement-breakpoint
UPDATE "orders" SET "first_total" = "total", "first_payable" = "payable";--> statement-breakpoint
ALTER TABLE "orders" ALTER COLUMN "first_total" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ALTER COLUMN "first_payable" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "price_changes" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "price_change" jsonb;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_never_dearer" CHECK (total <= first_total and payable <= first_payable);
