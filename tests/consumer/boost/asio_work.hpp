#pragma once

/// 0 when all went as it should.
int asio_work();
