using System.Xml.Linq;
using Polymath.Training;
using Xunit;

namespace Polymath.Tests.Training;

public sealed class LossChartTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Curves_lie_inside_the_image_and_end_in_the_legend()
    {
        LogPoint[] log = [.. Enumerable.Range(1, 5000).Select(i => new LogPoint(i, i * 100L, 2 + (6 / Math.Sqrt(i)), i % 500 == 0 ? 2.5 : null))];
        XElement chart = XDocument.Parse(LossChart.Draw("a <b> & c", log)).Root!;
        XElement[] curves = [.. chart.Descendants(Svg + "polyline")];
        Assert.Equal(2, curves.Length);
        foreach (XElement curve in curves)
        {
            foreach (string corner in curve.Attribute("points")!.Value.Split(' '))
            {
                double[] at = [.. corner.Split(',').Select(x => double.Parse(x, System.Globalization.CultureInfo.InvariantCulture))];
                Assert.InRange(at[0], 60, 790);
                Assert.InRange(at[1], 35, 375);
            }
        }

        string[] texts = [.. chart.Descendants(Svg + "text").Select(t => t.Value)];
        Assert.Contains("a <b> & c", texts);
        Assert.Contains("training: 2.0849", texts);
        Assert.Contains("validation: 2.5000", texts);
        Assert.Contains("5,000", texts);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Few_and_equal_points_can_be_drawn(int count)
    {
        LogPoint[] log = [.. Enumerable.Range(1, count).Select(i => new LogPoint(i, i, 3, null))];
        Assert.DoesNotContain("NaN", XDocument.Parse(LossChart.Draw("title", log)).ToString(), StringComparison.Ordinal);
    }
}
