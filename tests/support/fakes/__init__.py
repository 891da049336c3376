"""Devices and libraries made of host memory, for machines that have none."""
