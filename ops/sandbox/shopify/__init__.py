"""Shopify as the sandbox plays it: Admin GraphQL API 2026-04."""
