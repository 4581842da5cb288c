create database tributary
