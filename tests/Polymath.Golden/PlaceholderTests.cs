using Xunit;

namespace Polymath.Golden;

public sealed class PlaceholderTests
{
    [Fact]
    public void Builds() => Assert.True(true);
}
