// SPDX-License-Identifier: LGPL-2.1-or-later
// The life of a Java program: Heap MIB. It fills a map with arrays, keeps one in fifty, has the collector run, and says
// "ready". It ends with its standard input.
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

class Heap {
    private static final int MEAN_BYTES = 700;
    private static final int KEPT_ONE_IN = 50;

    public static void main(String[] arguments) throws IOException {
        Random random = new Random(1);
        Map<Integer, byte[]> map = new HashMap<>();
        int n = (int) ((Long.parseLong(arguments[0]) << 20) / (MEAN_BYTES + 100));

        for (int i = 0; i < n; i++)
            map.put(i, new byte[1 + random.nextInt(2 * MEAN_BYTES)]);
        map.keySet().removeIf(key -> key % KEPT_ONE_IN != 0);
        System.gc();

        System.out.println("ready");
        while (System.in.read() >= 0)
            ;
    }
}
