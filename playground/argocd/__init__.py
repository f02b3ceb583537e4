"""Argo CD as the playground has it: an application controller beside the cluster's objects, and its REST API.

Built after Argo CD 3.2 and its words. As there, an Application resource carries no health for its single resources
(`status.resourceHealthSource: appTree`): the REST API fills that in.
"""
