"""Roles, disclosures, destruction: nobody sees more than they may."""
