"""The control door: JSON endpoints under /_sandbox by which a person, a scenario or a test runs the sandbox.

An order is named by its name ("#1001") or number, a unit by its id or its place in the RMA. Money is decimal strings in
major units of the order's (presentment) currency. Times are ISO 8601. Wrong input is 400 `{"error": text}`, an unknown
shop, RMA, step or action 404. A body's fields stand in the struct named beside its path; unknown fields are refused.

A shop
  POST /_sandbox/shops                            specs.ShopSpec: locations, products, customers, orders; only domain
                                                  is required
  POST /_sandbox/shops/{shop}/products            {"products": [specs.ProductSpec]}
  POST /_sandbox/shops/{shop}/customers           {"customers": [specs.CustomerSpec]}
  POST /_sandbox/shops/{shop}/orders              {"orders": [shopify.ordering.OrderSpec]}; orders/create fires
       these four answer {"domain", "locations": {name: id}, "variants": {sku: {"variant_id", "inventory_item_id",
       "product_id"}}, "orders": {name: {"id", "total", "lines": [{"id", "sku", "quantity"}], "transactions": [{"id",
       "gateway", "amount"}]}}}
  POST /_sandbox/shops/{shop}/state               {"state": "open" | "frozen" | "locked" | "uninstalled"}
  POST /_sandbox/shops/{shop}/rotate-secret       {"client_secret"}: signs all webhooks from now on
  POST /_sandbox/shops/{shop}/expire-tokens       {}: all access tokens die; /admin/oauth/access_token gives new ones
  POST /_sandbox/shops/{shop}/serves              {"version"}: what X-Shopify-API-Version says
RMAs
  POST /_sandbox/returngo/{shop}/rmas             returngo.request.RmaSpec -> {"rma_id", "status", "units": [ids]}
  GET  /_sandbox/returngo/{shop}/rmas/{id}        the RMA as the API shows it, without costing quota
  POST /_sandbox/returngo/{shop}/rmas/{id}/{step} approve reject cancel reopen done ship track receive validate comment
                                                  edit (returngo.drive), transaction exchange release-exchange
                                                  (returngo.settle)
Staff
  POST /_sandbox/shopify/{shop}/staff/{action}    refund restock store-credit location tracking close-order cancel-order
                                                  edit-order send capture void mark-paid pay rate tag return settle
                                                  complete-draft product delete-product (staff_specs)
Faults and time
  POST /_sandbox/faults                           faults.Plan -> {"id"}; GET lists, DELETE removes all, /faults/{id} one
  POST /_sandbox/latency                          {"seconds"}: every answer takes so much longer, without a lock
  GET, POST /_sandbox/clock                       {"set"?, "speed"?, "advance_seconds"?} -> {"now", "speed"}
  POST /_sandbox/reset                            forgets everything
Probes
  GET  /health, /ready                            200 "ok"
What happened
  GET  /_sandbox/books?shop=                      report
  GET  /_sandbox/calls?system=&shop=&operation=&limit=
  GET  /_sandbox/webhooks?topic=&state=&shop=&system=
  POST /_sandbox/webhooks/redeliver               {"ids": [...]}: the same messages again -> {"sent"}
  POST /_sandbox/webhooks/settle                  {"seconds"}: waits until none is under way -> {"pending"}
"""
