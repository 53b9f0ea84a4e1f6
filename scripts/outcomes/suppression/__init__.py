"""The audit of what is published: can a hidden count be worked out from all the rest?"""
