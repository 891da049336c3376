"""What tests stand on: tiny models, fakes, servers, visitors."""
